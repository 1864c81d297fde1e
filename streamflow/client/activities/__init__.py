"""Activities in the user's hands: started without a workflow, completed from outside, or pending in a workflow."""
