"""Not there: raises ImportError."""

from streamflow.contrib.absent import refuse_agents

refuse_agents(__name__)
