"""Orders from card to fork: a workflow, the activities that it uses, and a web site for customers and drivers.

`orders` has the values that all of them speak in, `workflows` the order's life, `activities` what touches the world,
`app` what runs together, `site` the pages, and `demo` all of it at once on one machine.
"""
