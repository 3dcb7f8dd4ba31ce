"""`python3 -m pages`: writes every page that is made from the templates."""

from pages import architecture, cost, parameters, permissions, readme, runbooks
from pages.page import ROOT

for page in (parameters.made(), permissions.made(), cost.made(), runbooks.made(), readme.made(), architecture.made()):
    (ROOT / page.path).write_text(page.text)
    print(page.path)
