# complete.zsh FILE: what a zsh offers after "wpsctl networks ", with the completion in FILE: it is typed into a shell of its
# own, Tab pressed, and the screen printed. For packaging/lint.
zmodload zsh/zpty || exit 1
export TERM=dumb
zpty shell "COLUMNS=200 zsh -f -i"
say() { zpty -w shell "$1"; }
say "PS1='> '; autoload -Uz compinit; compinit -u -D; source $1; compdef _wpsctl wpsctl; zstyle ':completion:*' list-grouped true"
sleep 1
zpty -w -n shell $'wpsctl networks \t\t'
sleep 2
zpty -r -t shell line
while zpty -r -t shell more; do line+=$more; done
zpty -d shell
print -r -- "$line"
