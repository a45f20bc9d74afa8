"""What a browser would see of the report's page."""

import json
from html.parser import HTMLParser


class Reader(HTMLParser):
    """Collects what a browser would see as scripts, links to elsewhere and text."""

    def __init__(self, text):
        super().__init__()
        self.scripts, self.elsewhere, self.text, self._inside = [], [], [], None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self._inside = tag
        if tag == "script":
            self.scripts.append([values.get("type"), values.get("class") or values.get("id"), ""])
        for name in ("src", "href", "action", "data"):
            if not (values.get(name) or "#").startswith(("#", "data:")):
                self.elsewhere.append(values[name])

    def handle_endtag(self, tag):
        self._inside = None

    def handle_data(self, data):
        if self._inside == "script":
            self.scripts[-1][2] += data
        elif self._inside != "style":
            self.text.append(data)


def data_of(seen, name):
    """The JSON of the scripts with this class or id."""
    return [json.loads(text) for _, own, text in seen.scripts if own == name]
