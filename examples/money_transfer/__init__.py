"""Money from one account to another, whole or not at all: a saga with one compensation."""
