"""An order for a picture as the service wants it: one picture, of a named size, drawn from just these words.

The default is four pictures, each of them billed, so the number is always said. What no model can do is refused here,
where it costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from popcond.errors import ProviderFailed, UnreadablePicture
from popcond.media.raster import Colour, from_png
from popcond.video.dashscope_models import Region
from popcond.video.dashscope_order import data_uri
from popcond.video.dashscope_picture_models import PictureRow, PictureShape, picture_row, pictures_on_sale
from popcond.video.provider import PictureRequest
from popcond.video.start_picture import shown_picture


def picture_choice(request: PictureRequest, region: Region) -> PictureRow:
    """The row that fits a request. Raises ProviderFailed with what there is."""
    sold = pictures_on_sale(region)
    row = picture_row(request.model)
    if row not in sold:
        raise ProviderFailed(
            f"There is no DashScope picture model {request.model!r} in this region.",
            cure=f"Choose: {', '.join(each.name for each in sold)}." if sold else "None draws pictures there.",
            details={"stops": "model"},
        )
    _refuse_number(row, len(request.references), sold)
    _refuse_words(row, request.prompt)
    return row


def picture_order(row: PictureRow, request: PictureRequest) -> dict[str, Any]:
    """The body of a create. Reads and draws pictures: run it beside the loop. Raises ProviderFailed."""
    pictures = [_shown(reference, request.backdrop) for reference in request.references]
    parameters: dict[str, Any] = {"size": row.size, "n": 1, "watermark": False, **row.more}
    if row.rewrites:
        parameters["prompt_extend"] = False
    return {"model": row.name, "input": _input(row.shape, request.prompt, pictures), "parameters": parameters}


def _input(shape: PictureShape, prompt: str, pictures: Sequence[str]) -> Mapping[str, Any]:
    match shape:
        case PictureShape.MESSAGES:
            content = [{"text": prompt}, *({"image": picture} for picture in pictures)]
            return {"messages": [{"role": "user", "content": content}]}
        case PictureShape.WORDS:
            return {"prompt": prompt}
        case PictureShape.EDIT:
            return {"prompt": prompt, "images": list(pictures)}


def _refuse_number(row: PictureRow, count: int, sold: Sequence[PictureRow]) -> None:
    """Raises ProviderFailed for more or fewer pictures than it can be shown."""
    if count in row.references:
        return
    able = ", ".join(each.name for each in sold if count in each.references)
    least, most = row.references.start, row.references.stop - 1
    wants = "words only" if not most else f"{least} to {most} pictures" if least else f"at most {most} pictures"
    raise ProviderFailed(
        f"{row.name} draws from {wants}, and is shown {count}.",
        cure=f"Choose: {able}." if able else f"Show it {wants}.",
    )


def _refuse_words(row: PictureRow, prompt: str) -> None:
    """Raises ProviderFailed for a prompt that says nothing, or that the service would cut."""
    if not prompt.strip():
        raise ProviderFailed("There are no words to draw from.", cure="Describe what is to be drawn.")
    if len(prompt) > row.longest_prompt:
        raise ProviderFailed(
            f"The prompt is {len(prompt) - row.longest_prompt} characters too long for {row.name}.",
            cure="Shorten the description, or choose another model.",
        )


def _shown(reference: Path, backdrop: Colour) -> str:
    try:
        picture = from_png(reference.read_bytes())
    except FileNotFoundError as error:
        raise ProviderFailed("The picture to draw after is gone.", cure="Add it again.") from error
    except UnreadablePicture as error:
        raise ProviderFailed("The picture to draw after is damaged.", cure="Add it again.") from error
    return data_uri(shown_picture(picture, backdrop))
