"""Several Regions with replicas of the tables: moving the lease, and finding what was lost."""
