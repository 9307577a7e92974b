"""The claims against policies, on paper, and against reality, as the workload."""
