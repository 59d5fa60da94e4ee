// What the service says of a set, in the listener's language.

import { own, say } from "./i18n.js";

/** @param {{title: string, artists: string[]}} pick */
export const name = (pick) => [pick.title, pick.artists.join(", ")].filter(Boolean).join(" — ");

/** Why a song was chosen, without the opening that all reasons of a set share. @param {SetPick} pick */
export const why = (pick) => pick.reason.split(": ").slice(1).join(": ").split(", ").map(own).join(", ");

/** What the set answers, and what there is to know about it. @param {Music} music */
export const opening = (music) => [answered(music), ...music.notes.map(own)].map((text) => `${capital(text)}.`).join(" ");

/** Where a set meets what the listener said of themselves, their own word stands for them. @param {Music} music */
const answered = ({ said, plan, picks }) =>
  said && plan === "match" ? say("youSaid", { emotion: say(said) }) : own(picks[0].reason.split(": ")[0]);

/** @param {string} text */
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
