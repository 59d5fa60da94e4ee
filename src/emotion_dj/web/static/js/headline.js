// What the page says: what was seen and what it means, what comes, what was done, and what is wrong.

import * as dj from "./dj.js";
import { $, button } from "./dom.js";
import { say } from "./i18n.js";
import * as listener from "./listener.js";
import * as notices from "./notices.js";
import * as queue from "./queue.js";
import { effect } from "./signal.js";
import { name, notes, opening, problem } from "./words.js";

export function begin() {
  effect(() => ($("opening").textContent = headline()));
  effect(() => ($("notes").textContent = queue.music.value ? notes(queue.music.value) : ""));
  effect(holding);
  effect(() => {
    $("banner").hidden = !notices.lost.value;
    $("banner").textContent = notices.lost.value ? problem({ code: "gone" }) : "";
  });
  effect(() => {
    const words = notices.said.value ? problem(notices.said.value) : "";
    $("said").replaceChildren(words, ...(notices.said.value?.allow ? [button(say("allowSending"), notices.said.value.allow)] : []));
    $("moods").classList.toggle("lit", notices.said.value?.code === "unsure");
  });
  effect(offer);
  effect(done);
  effect(() => ($("announced").textContent = announcement()));
  $("release").addEventListener("click", dj.release);
}

function headline() {
  if (notices.busy.value) return say(notices.busy.value);
  if (notices.problem.value) return problem(notices.problem.value);
  const { value: music } = queue.music;
  if (!music) return say("empty");
  return listener.start.value || listener.live.value ? opening(music) : say("setBefore");
}

function holding() {
  $("holds").hidden = !dj.holds.value;
  const { value: word } = listener.word;
  $("holds-word").textContent = word ? say("holds", { what: stated(word) }) : "";
}

/** What the listener said. @param {Word} word */
function stated({ mood, emotion, say: own, like }) {
  if (mood || emotion) return say(mood ?? emotion ?? "");
  return own ?? String((like && queue.music.value?.opening.title) || say("yourPlace"));
}

/** What comes, and why; the listener may have it now, or stay. */
function offer() {
  const { value: offered } = notices.offer;
  if (!offered) return $("offer").replaceChildren();
  const words = say("comes", { why: say(`turn.${offered.why}`), title: name(offered.song) });
  return $("offer").replaceChildren(
    Object.assign(document.createElement("p"), { textContent: words }),
    button(say("now"), () => dj.send({ kind: "now" })),
    button(say("stay"), () => dj.send({ kind: "stay" })),
  );
}

/** What was done, and the way back. */
function done() {
  const { value: what } = notices.done;
  if (!what) return $("done").replaceChildren();
  const words = Object.assign(document.createElement("p"), { textContent: say(`done.${what.code}`, what.values) });
  return $("done").replaceChildren(words, ...(what.undo ? [button(say("undo"), what.undo)] : []));
}

/** For those who listen to the page: the song that plays now. */
function announcement() {
  const { value: song } = queue.current;
  return song && queue.music.value ? say("nowPlaying", { title: name(song) }) : "";
}

