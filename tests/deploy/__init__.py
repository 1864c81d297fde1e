"""The Helm chart and the images: rendered and looked at without a cluster."""
