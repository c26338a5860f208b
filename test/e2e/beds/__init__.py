"""Test beds: real servers, started on free loopback ports in a temporary folder, stopped by pid."""
