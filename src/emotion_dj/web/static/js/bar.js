// The bar of the player: what plays, its place, and the buttons.

import * as dj from "./dj.js";
import { artwork, cover } from "./cover.js";
import { $ } from "./dom.js";
import { colour } from "./colour.js";
import * as feedback from "./feedback.js";
import { say } from "./i18n.js";
import * as queue from "./queue.js";
import { effect } from "./signal.js";
import { clock, name, why } from "./words.js";

const PLAY = "M8 5v14l11-7z";
const PAUSE = "M7 5h4v14H7zM13 5h4v14h-4z";

/** @param {import("./player.js").Player} player */
export function begin(player) {
  effect(() => draw(player.now.value ?? queue.songs.value[0]));
  effect(() => {
    $("play-sign").setAttribute("d", player.playing.value ? PAUSE : PLAY);
    $("play-word").textContent = say(player.playing.value ? "pause" : "playWord");
    document.body.classList.toggle("playing", player.playing.value);
    const { value: song } = player.now;
    document.title = song && player.playing.value ? `${song.title} · Emotion-DJ` : "Emotion-DJ";
  });
  effect(() => $("mute").setAttribute("aria-pressed", String(player.muted.value)));
  effect(() => $("like").setAttribute("aria-pressed", String(feedback.likes(player.now.value))));
  player.addEventListener("time", () => time(player));
  buttons(player);
  system(player);
}

/** @param {SetPick | undefined} song */
function draw(song) {
  $("now-cover").replaceChildren(...(song ? [cover(song)] : []));
  $("now-title").textContent = song ? name(song) : "";
  $("now-why").textContent = song ? [say(song.mood), why(song)].filter(Boolean).join(" · ") : "";
  if (song) document.documentElement.style.setProperty("--wash", colour(song.affect.valence, song.affect.arousal).replace(")", " / 0.2)"));
}

/** @param {import("./player.js").Player} player */
function time(player) {
  const { position, duration } = player.clock;
  $("seek").value = String(Number.isFinite(duration) ? (1000 * position) / duration : 0);
  $("seek").setAttribute("aria-valuetext", clock(position));
  $("time").textContent = `${clock(position)} / ${clock(duration)}`;
  if (!("mediaSession" in navigator) || !(duration > 0) || !Number.isFinite(duration)) return;
  navigator.mediaSession.setPositionState({ duration, position: Math.min(position, duration) });
}

/** @param {import("./player.js").Player} player */
function buttons(player) {
  const pressed = { play: dj.toggle, next: dj.next, previous: dj.previous, like: feedback.like, skip: dj.skip, mute: () => player.mute(), more: unfold };
  for (const [id, action] of Object.entries(pressed)) $(id).addEventListener("click", () => void action());
  $("seek").addEventListener("input", () => player.seek($("seek").value / 1000));
  $("volume").addEventListener("input", () => player.setVolume($("volume").value / 100));
}

/** What small screens fold away. */
function unfold() {
  $("more").setAttribute("aria-expanded", String($("player").classList.toggle("open")));
}

/** Lock screens and media keys. @param {import("./player.js").Player} player */
function system(player) {
  if (!("mediaSession" in navigator)) return;
  const session = navigator.mediaSession;
  effect(() => {
    const { value: song } = player.now;
    if (song) session.metadata = new MediaMetadata({ title: song.title, artist: song.artists.join(", "), album: song.album, artwork: [artwork(song)] });
  });
  effect(() => (session.playbackState = player.playing.value ? "playing" : "paused"));
  const actions = /** @type {[MediaSessionAction, (details: MediaSessionActionDetails) => void][]} */ ([
    ["play", () => dj.toggle()], ["pause", () => dj.toggle()], ["nexttrack", () => dj.next()], ["previoustrack", () => dj.previous()],
    ["seekto", ({ seekTime }) => player.seekTo(seekTime ?? 0)],
    ["seekforward", () => player.seekTo(player.clock.position + 10)], ["seekbackward", () => player.seekTo(player.clock.position - 10)],
  ]);
  for (const [action, handler] of actions) session.setActionHandler(action, handler);
}
