"""Colours as programs write them, in one form: an index of the palette or "#rrggbb"."""


def rgb(value):
    """A colour as X11 writes it, to 8 bits a part."""
    if value.startswith("rgb:"):
        return "#" + "".join((part * 2)[:2] for part in value[4:].split("/"))
    return value.lower()


def colour(field, fields):
    """The colour after 38, 48 or 58: an index, "#rrggbb", or None; takes what belongs to it from fields."""
    if len(field) > 1:
        numbers = [int(n or 0) for n in field[1:]]
    else:
        kind = int(fields.pop(0)[0] or 0) if fields else 0
        take = {5: 1, 2: 3}.get(kind, 0)
        numbers = [kind] + [int(f[0] or 0) for f in fields[:take]]
        del fields[:take]
    if numbers[0] == 5 and len(numbers) > 1:
        return numbers[1]
    if numbers[0] == 2 and len(numbers) > 3:
        return "#%02x%02x%02x" % tuple(numbers[-3:])
    return None
