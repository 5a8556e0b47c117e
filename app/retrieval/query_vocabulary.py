"""What questions call by one name and documents by another.

People ask for capex, a quick ratio or EPS; statements have "purchases of property and equipment", "total current
assets" and "earnings per share". Neither side of a search knows that they belong together, so a question that uses
such a word is asked with the words of the statements behind it. Such questions are often half about the form of the
answer ("round to two decimals"), which stands in no document and is left out of them. The list holds common terms of
accounting and no names of companies. Of 116 questions of our own about filings (``filings_tuning.jsonl``), asked of all
documents at once, the words alone answer 112 instead of 104 by a page among ten passages; with the form of the answer
left out as well it is 114. Inside the right document it is 106, 113 and 114.
"""

from __future__ import annotations

import re
from functools import cache

from app.retrieval.keyword_query import quoted_phrases

MOST_WORDS = 60
"""Longer texts say what they mean, and are not made longer."""

_ACCOUNTING = {
    r"capex|capital expenditures?|capital[- ]intensi\w+": (
        "capital expenditures, purchases of property, plant and equipment, cash flows from investing activities"
    ),
    r"(?:quick|current) ratio|acid test|working capital|liquid(?:ity)?|short[- ]term (?:assets|liabilities)": (
        "total current assets, total current liabilities, balance sheet"
    ),
    r"cogs|cost of goods(?: sold)?": "cost of sales, cost of revenues, cost of products sold",
    r"gross (?:profit|margins?)": "revenue, cost of sales, gross profit, statement of income",
    r"ebitda": "operating income, depreciation and amortization",
    r"ebit": "operating income, earnings before interest and taxes",
    r"d&a": "depreciation and amortization",
    r"pp&e": "property, plant and equipment",
    r"eps": "earnings per share",
    r"r&d": "research and development expenses",
    r"sg&a": "selling, general and administrative expenses",
    r"p&l": "statement of income, statement of operations",
    r"statements? of financial position|balance sheets?": (
        "balance sheet, statement of financial position, total assets, total liabilities"
    ),
    r"income statements?|statements? of (?:income|operations|earnings)": (
        "statements of income, statements of operations, statements of earnings"
    ),
    r"operating margins?": "operating income, total revenue",
    r"net (?:profit )?margins?": "net income, total revenue",
    r"profitab\w+": "net income, net earnings, operating income",
    r"top[- ]line|sales|revenues?": "net sales, total revenues",
    r"bottom[- ]line|net profits?": "net income, net earnings",
    r"inventory turnover|days inventory(?: outstanding)?|dio": "inventories, cost of sales",
    r"(?:days )?payables? (?:outstanding|turnover)|dpo": "accounts payable, cost of sales",
    r"days sales outstanding|dso|receivables? turnover": "accounts receivable, revenue",
    r"return on assets|roa|asset turnover": "net income, total assets",
    r"return on equity|roe": "net income, total shareholders' equity",
    r"interest coverage|coverage ratio": "operating income, interest expense",
    r"leverage|debt[- ]to[- ]equity|total debt|indebted\w*": (
        "long-term debt, short-term debt, borrowings, shareholders' equity"
    ),
    r"free cash flows?|fcf|cash burn": (
        "net cash provided by operating activities, purchases of property and equipment"
    ),
    r"buy ?backs?|(?:share|stock) repurchases?": "repurchases of common stock",
    r"pay ?out ratio|dividend pay ?out": "dividends paid, net income",
    r"rivals?|competitors?": "competition, competitors",
    r"workforce|headcount|employees?": "employees, employed, full-time",
    r"order book": "backlog",
    r"auditors?": "independent registered public accounting firm",
    r"executive pay|say[- ]on[- ]pay": "executive compensation",
}

_FORM_OF_THE_ANSWER = re.compile(
    r"\b(?:please|answer|reply|respond|response|give|state|show|express|round(?:ed)?|your|result|assume|imagine|take|work"
    r"|calculate|compute|explain(?: why)?|rely(?:ing)?|looking at|us(?:e|ing)|based?(?: it)? on|according to"
    r"|(?:(?:one|two|three|\d) )?decimals?(?: places?)?|details?(?: shown)?|line items?|data|figures?"
    r"|usd|dollars?|(?:thousand|million|billion)s?|percent(?:age)?)\b",
    re.IGNORECASE,
)


def widened(query: str) -> str:
    """A question about accounts with what documents call the same behind it; any other, and a long text, as it is."""
    if len(query.split()) > MOST_WORDS:
        return query
    meant = [words for pattern, words in _patterns() if pattern.search(query)]
    if not meant:
        return query
    added = dict.fromkeys(term for words in meant for term in words.split(", "))
    asked = query if quoted_phrases(query) else " ".join(_FORM_OF_THE_ANSWER.sub(" ", query).split())
    return f"{asked} {', '.join(added)}"


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple(
        (re.compile(rf"(?<![\w&])(?:{pattern})(?![\w&])", re.IGNORECASE), words)
        for pattern, words in _ACCOUNTING.items()
    )
