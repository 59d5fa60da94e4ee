"""Show your face, hear your music, in one small Streamlit app on Emotion-DJ's Python API.

    pip install '.[demo]' streamlit          (in the clone)
    streamlit run examples/streamlit_app.py

The folders or sources after ``--`` are the library; without them the demo library plays.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import streamlit as st

from emotion_dj import EmotionDJ, affect, messages
from emotion_dj.domain import Emotion
from emotion_dj.errors import EmotionDJError

if TYPE_CHECKING:
    from emotion_dj.domain import DJSet, Pick, Reading

NOTICE = (
    "What is estimated is an expression, not a feeling. Your photo is read in memory and gone. "
    "Not for work or school."
)


@st.cache_resource(show_spinner="Hearing the music (only the first time) ...")
def dj() -> EmotionDJ:
    """Return the one DJ of this server, its library heard."""
    made = EmotionDJ(library=sys.argv[1:])
    made.library.scan()
    return made


def photo() -> bytes | None:
    """Ask for a photo, from a file or from the camera."""
    by_file, by_camera = st.tabs(["Choose a photo", "Use the camera"])
    chosen = by_file.file_uploader("A photo with a face", type=["jpg", "jpeg", "png", "webp"])
    taken = by_camera.camera_input("Show your face")
    sent = chosen or taken
    return sent.getvalue() if sent else None


def show_reading(reading: Reading, place: int) -> None:
    """Show one face's seven probabilities, most probable first."""
    name = messages.EMOTIONS[reading.emotion]
    st.subheader(f"Face {place}: {'unsure' if reading.abstained else f'looks {name}'}")
    for emotion, chance in sorted(reading.probabilities.items(), key=lambda pair: -pair[1]):
        st.progress(float(chance), text=f"{messages.EMOTIONS[emotion]} {chance:.0%}")


def correct() -> Emotion | None:
    """Let the listener say how they are, where the reading is wrong."""
    return st.selectbox(
        "That's not me: I am ...",
        list(Emotion),
        index=None,
        format_func=messages.EMOTIONS.__getitem__,
        placeholder="the reading is right",
    )


def show_pick(music: DJSet, pick: Pick) -> None:
    """Show one song, why it was chosen, and a player."""
    st.markdown(f"**{pick.track.title}** {', '.join(pick.track.artists)}")
    st.caption(f"{pick.mood}: {messages.sentence(music, pick)}")
    if pick.track.path:
        st.audio(str(pick.track.path))


def main() -> None:
    """Draw the page."""
    st.title("Emotion-DJ")
    st.caption(NOTICE)
    plan = st.radio("Plan", [*affect.PLANS, "journey:..happy"], horizontal=True)
    length = st.slider("Songs", 1, 20, 5)
    sent = photo()
    if sent is None:
        st.info("Show your face, hear your music.")
        return
    try:
        analysis = dj().read(sent)
        for place, reading in enumerate(analysis.readings, start=1):
            show_reading(reading, place)
        stated = correct()
        start = affect.of_emotion(stated) if stated else None
        shown = None if stated else analysis
        music = dj().recommend(shown, affect=start, plan=affect.parse_plan(plan), n=length)
    except EmotionDJError as error:
        st.error(str(error))
        return
    for note in music.notes:
        st.warning(messages.say(note))
    for pick in music.picks:
        show_pick(music, pick)


if __name__ == "__main__":  # worker processes that hear the music draw no page
    main()
