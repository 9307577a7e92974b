"""AWS's wire protocols: HTTP request in, parameters in botocore's names out. One file per protocol."""
