"""Never gets imported.

row: infinite loops
stopped by: CPU time
limits: cpu=1
"""

while True:
    pass
