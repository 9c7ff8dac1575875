"""How the transcript looks: its component classes and their default styles. Themes and user CSS may override each."""

from __future__ import annotations

PREFIX = "transcript--"

_WHO = ("you", "label", "thought", "thinking", "note", "error", "card", "card-title", "empty", "empty-title", "key")
_TEXT = ("heading", "subheading", "marker", "quote", "code", "link", "url", "th", "math", "frame", "frame-title")
_SOURCE = ("source", "comment", "keyword", "string", "number", "name", "builtin", "operator", "deleted", "inserted")
NAMES = frozenset((*_WHO, *_TEXT, *_SOURCE))

CSS = """
DocumentView {
    width: 1fr;
    height: 1fr;
    color: $foreground;
    overflow-x: hidden;
    overflow-y: auto;
    scrollbar-gutter: stable;
    scrollbar-size: 1 1;
    scrollbar-background: $background 0%;
    scrollbar-background-hover: $background 0%;
    scrollbar-background-active: $background 0%;

    & > .transcript--you { color: $accent; text-style: bold; }
    & > .transcript--label { color: $foreground-muted; text-style: bold; }
    & > .transcript--heading { color: $primary; text-style: bold; }
    & > .transcript--subheading { text-style: bold; }
    & > .transcript--marker { color: $foreground-muted; }
    & > .transcript--quote { color: $foreground-muted; }
    & > .transcript--code { color: $secondary; }
    & > .transcript--link { text-style: underline; }
    & > .transcript--url { color: $foreground-muted; }
    & > .transcript--frame { color: $border-blurred; }
    & > .transcript--frame-title { color: $foreground-muted; }
    & > .transcript--th { text-style: bold; }
    & > .transcript--thought { color: $foreground-muted; }
    & > .transcript--thinking { color: $foreground-muted; }
    & > .transcript--note { color: $foreground-muted; }
    & > .transcript--error { color: $error; }
    & > .transcript--card { color: $warning; }
    & > .transcript--card-title { color: $warning; text-style: bold; }
    & > .transcript--empty { color: $foreground-muted; }
    & > .transcript--empty-title { text-style: bold; }
    & > .transcript--key { color: $accent; text-style: bold; }
    & > .transcript--comment { color: $foreground-muted; text-style: italic; }
    & > .transcript--keyword { color: $primary; }
    & > .transcript--string { color: $success; }
    & > .transcript--number { color: $warning; }
    & > .transcript--name { color: $secondary; }
    & > .transcript--builtin { color: $accent; }
    & > .transcript--operator { color: $foreground-muted; }
    & > .transcript--deleted { color: $error; }
    & > .transcript--inserted { color: $success; }

    &:ansi {
        & > .transcript--frame { color: $foreground; text-style: dim; }
        & > .transcript--frame-title { text-style: dim; }
        & > .transcript--thought { text-style: dim; }
        & > .transcript--thinking { text-style: dim; }
        & > .transcript--note { text-style: dim; }
        & > .transcript--url { text-style: dim; }
        & > .transcript--quote { text-style: dim; }
        & > .transcript--key { color: $accent; text-style: bold; }
    & > .transcript--comment { text-style: dim; }
        & > .transcript--empty { text-style: dim; }
    }
}
"""
