"""Where the racks stand, how power reaches them and how their heat leaves."""
