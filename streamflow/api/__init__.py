"""Records in the shape of protobuf messages, where programs touch them: payloads, failures, and the names of values.

They have the fields, the methods and the bytes of the messages of the same names, but need no protobuf library.

Not here: requests and responses of a server. There is none; `streamflow.client.Client` has a method for what one did.
"""
