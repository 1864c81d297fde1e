"""Not there: raises ImportError."""

from streamflow.contrib.absent import refuse

refuse(__name__, "a worker owns partitions and so has to stay: run it as a service")
