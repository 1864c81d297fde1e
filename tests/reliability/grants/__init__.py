"""Every grant of every role, taken away alone on a broker that allows nothing else.

secured    the broker: TLS, SASL, an authorizer, and the grants of each role as long as none is taken away
work       what each role is there for, done under its own principal
matrix     which grants there are to be taken away, and what comes of it
"""
