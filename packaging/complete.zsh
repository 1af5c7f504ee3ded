# complete.zsh FILE: what a zsh offers after "wpsctl networks ", with the completion in FILE: it is typed into a shell of its
# own, Tab pressed, and the screen printed. For packaging/lint.
zmodload zsh/zpty || exit 1
export TERM=dumb
zpty shell "COLUMNS=200 zsh -f -i"
line=
# shown TEXT: waits until it is on the screen, a minute at most.
shown() {
  local more n
  for n in {1..600}; do
    while zpty -r -t shell more; do line+=$more; done
    [[ $line == *$1* ]] && return
    sleep 0.1
  done
}
zpty -w shell "PS1='> '; autoload -Uz compinit; compinit -u -D; source $1; compdef _wpsctl wpsctl; zstyle ':completion:*' list-grouped true; print READ''Y"
shown READY
line=
zpty -w -n shell $'wpsctl networks \t\t'
shown 'Show a stored network'
zpty -d shell
print -r -- "$line"
