module tusd-py/tokens

go 1.22.0
