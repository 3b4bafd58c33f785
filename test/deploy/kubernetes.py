"""Reads manifests from standard input, holds each against the schemas of that version of Kubernetes, and prints them as a list in JSON."""
import json
import sys

import kubernetes_validate
import yaml

resources = [resource for resource in yaml.safe_load_all(sys.stdin) if resource]
for resource in resources:
    try:
        kubernetes_validate.validate(resource, sys.argv[1], strict=True)
    except kubernetes_validate.ValidationError as error:
        where = '.'.join(str(part) for part in error.path)
        sys.exit(f"{resource['kind']} {resource['metadata']['name']}: {where}: {error.message}")
    except kubernetes_validate.SchemaNotFoundError as error:
        sys.exit(error.message)
json.dump(resources, sys.stdout)
