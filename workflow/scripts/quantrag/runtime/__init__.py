"""What every job needs: logging, errors, locks, GPU leases, telemetry, provenance, hashes."""
