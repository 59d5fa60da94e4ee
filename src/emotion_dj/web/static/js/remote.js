// A phone as the eye of this screen: it is shown an address as a code, and what it reads comes as numbers.

import { ROOT, post } from "./api.js";
import { $, element, make } from "./dom.js";
import * as face from "./face.js";
import { say } from "./i18n.js";
import * as listener from "./listener.js";
import { effect, signal } from "./signal.js";

const GONE_MS = 10_000; // a phone that says nothing for so long has been put away
const LETTERS = 22; // of a key made by chance
const AT_THIS_MACHINE = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);

/** The key of the phone that is followed, and the address by which a phone takes it. */
const key = signal("");
const address = signal("");
/** @type {EventSource | null} */
let following = null;
let silence = 0;

let drawn = false;

/** Show the code, and wait for the phone that reads it. */
export function open() {
  if (!drawn) {
    effect(() => !listener.live.value && following && leave()); // its light is this page's too
    effect(draw);
  }
  drawn = true;
  if (!following) follow();
  $("phone-dialog").showModal();
}

/** Wait for a phone, and then for what it sees. */
function follow() {
  key.value = Array.from(crypto.getRandomValues(new Uint8Array(LETTERS)), (byte) => "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789-_".charAt(byte % 58)).join("");
  void invite(key.value);
  following = new EventSource(`${ROOT}/readings/live/${key.value}`);
  following.addEventListener("reading", ({ data }) => told(JSON.parse(data)));
  following.addEventListener("nobody", () => told(null));
}

/** Where devices are let in one by one, the address lets in the phone, too. @param {string} key */
async function invite(key) {
  const lets = listener.about.peek().invites ? `pair?code=${(await (await post("/invitations", {})).json()).code}` : "";
  address.value = new URL(`${lets}#eye=${key}`, document.baseURI).href;
}

/** @param {Look | null} look */
function told(look) {
  if (!listener.live.peek()) {
    $("phone-dialog").close();
    face.watch();
  }
  clearTimeout(silence);
  silence = setTimeout(face.tell, GONE_MS, null);
  face.tell(look);
}

function leave() {
  clearTimeout(silence);
  following?.close();
  following = null;
  key.value = address.value = "";
}

/** The address as a code and in letters; where no phone can reach it, how one could. */
async function draw() {
  const how = say(AT_THIS_MACHINE ? "phoneHere" : "phoneHow");
  /** @type {Element[]} */
  const parts = [make("p", "", how)];
  if (address.value) parts.push(await code(address.value), make("p", "path small", address.value));
  $("phone").replaceChildren(...parts);
}

/** @param {string} address */
async function code(address) {
  const { qr } = await import("./qr.js");
  const rows = qr(address);
  const side = rows.length + 8; // four of quiet around it
  const path = rows.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x + 4} ${y + 4}h1v1h-1z`] : []))).join("");
  const made = element("svg", { viewBox: `0 0 ${side} ${side}`, class: "qr", role: "img", "aria-label": address, "shape-rendering": "crispEdges" });
  made.append(element("rect", { width: side, height: side, fill: "#fff" }), element("path", { d: path, fill: "#000" }));
  return made;
}
