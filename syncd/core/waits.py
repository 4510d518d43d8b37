"""How a reason begins that only time can change: nobody is asked, and it goes away by itself."""

WAITS = "waits for "
