from IPython.display import HTML, display

display(HTML("x" * 50_000_000))
"y" * 50_000_000
