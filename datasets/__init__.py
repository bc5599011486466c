"""The embedded data: installed as `nnscratch._datasets`, read through `nnscratch.load_dataset`."""
