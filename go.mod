module wpsd

go 1.26.0
