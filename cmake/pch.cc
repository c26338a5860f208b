// Holds the precompiled header; no code of its own.
