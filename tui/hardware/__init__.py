"""What this machine has and what is free: GPUs, RAM, swap, CPU. Snapshots are values; reading them takes
milliseconds.
"""
