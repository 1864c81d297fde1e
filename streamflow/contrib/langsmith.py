"""Not there: raises ImportError."""

from streamflow.contrib.absent import refuse

refuse(__name__, "trace with streamflow.contrib.opentelemetry, or with interceptors of your own")
