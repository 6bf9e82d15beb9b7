// Everything that a page may try against a daemon on this computer. Each attempt answers what it has learned, or "".
// `TARGET`, `TOKEN` and `SAME_ORIGIN` are set by the page. The verdicts are posted to the page's own server.
const READS = ["/healthz", "/v1/version", "/v1/packs", "/v1/characters", "/v1/actions", "/openapi.json"];
const ORDER = JSON.stringify({ name: "Stolen", character_id: "x", actions: ["wave"], awaits_clips: true });
const PATIENCE = 12000; // milliseconds for one attempt, all of which run at once

const attempts = [];
const attempt = (name, run) => attempts.push([name, run]);
const headersOf = (withToken) => (withToken ? { Authorization: `Bearer ${TOKEN}` } : {});

async function readable(response) {
  if (response.type === "opaque") return "an answer that cannot be read";
  return response.ok ? (await response.text()).slice(0, 40) || "an empty answer" : "";
}

for (const withToken of [false, true]) {
  const how = withToken ? " with the token" : "";
  for (const path of READS) {
    for (const mode of SAME_ORIGIN ? ["same-origin"] : ["cors", "no-cors"]) {
      attempt(`fetch ${mode} ${path}${how}`, async () =>
        readable(await fetch(TARGET + path, { mode, headers: headersOf(withToken) })));
    }
  }
  for (const [method, path] of [["POST", "/v1/characters/sample"], ["DELETE", "/v1/packs/x"], ["PATCH", "/v1/packs/x"]]) {
    attempt(`fetch ${method} ${path}${how}`, async () =>
      readable(await fetch(TARGET + path, { method, headers: headersOf(withToken) })));
  }
  attempt(`fetch POST json /v1/packs${how}`, async () =>
    readable(await fetch(TARGET + "/v1/packs", {
      method: "POST", body: ORDER, headers: { ...headersOf(withToken), "Content-Type": "application/json" },
    })));
  attempt(`XMLHttpRequest /v1/packs${how}`, () => new Promise((done) => {
    const asked = new XMLHttpRequest();
    asked.onload = () => done(asked.status < 400 ? asked.responseText.slice(0, 40) || "an empty answer" : "");
    asked.onerror = () => done("");
    asked.open("GET", TARGET + "/v1/packs");
    if (withToken) asked.setRequestHeader("Authorization", `Bearer ${TOKEN}`);
    asked.send();
  }));
}

const form = new FormData();
form.append("file", new Blob([ORDER], { type: "image/png" }), "stolen.png");
for (const [kind, body] of [
  ["text/plain", new Blob([ORDER], { type: "text/plain" })],
  ["urlencoded", new URLSearchParams({ name: "Stolen" })],
  ["multipart", form],
]) {
  for (const path of ["/v1/characters", "/v1/characters/sample", "/v1/packs", "/v1/quotes"]) {
    attempt(`simple POST ${kind} ${path}`, async () =>
      readable(await fetch(TARGET + path, { method: "POST", mode: SAME_ORIGIN ? "same-origin" : "no-cors", body })));
  }
}

for (const enctype of ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"]) {
  attempt(`form ${enctype}`, () => inFrame((frame) => {
    const sent = document.createElement("form");
    Object.assign(sent, { method: "POST", enctype, action: TARGET + "/v1/characters/sample", target: frame.name });
    sent.innerHTML = `<input name='{"name":"Stolen","x":"' value='"}'>`;
    document.body.append(sent);
    sent.submit();
  }));
}

function inFrame(begin) {
  return new Promise((done) => {
    const frame = document.createElement("iframe");
    frame.name = `frame${Math.random()}`;
    document.body.append(frame);
    frame.onload = () => {
      let text = "";
      try { text = frame.contentDocument.body.innerText; } catch { /* another origin */ }
      if (text && !/"code"/.test(text)) done(text.slice(0, 40));
      else setTimeout(() => done(""), 300);
    };
    begin(frame);
  });
}

attempt("iframe", () => inFrame((frame) => { frame.src = TARGET + "/v1/packs"; }));
attempt("iframe of health", () => inFrame((frame) => { frame.src = TARGET + "/healthz"; }));

const loads = (tag, set, path) => attempt(`<${tag}> ${path}`, () => new Promise((done) => {
  const element = document.createElement(tag);
  element.onload = element.onloadeddata = element.onloadedmetadata = () => done(`it loads`);
  element.onerror = () => done("");
  set(element, TARGET + path);
  document.body.append(element);
}));
const source = (element, url) => { element.src = url; };
loads("img", source, "/v1/characters/x/picture");
for (const path of ["/v1/packs", "/healthz", "/openapi.json"]) loads("script", source, path);
loads("link", (element, url) => { element.rel = "stylesheet"; element.href = url; }, "/v1/providers");
loads("link", (element, url) => { element.rel = "prefetch"; element.href = url; }, "/v1/version");
loads("link", (element, url) => { element.rel = "preload"; element.as = "image"; element.href = url; }, "/v1/actions");
loads("video", source, "/v1/stickers/x/file");
loads("object", (element, url) => { element.data = url; }, "/v1/usage");

attempt("EventSource", () => new Promise((done) => {
  const stream = new EventSource(TARGET + "/v1/events");
  stream.onopen = stream.onmessage = () => { stream.close(); done("the stream is open"); };
  stream.onerror = () => { stream.close(); done(""); };
}));

attempt("WebSocket", () => new Promise((done) => {
  const line = new WebSocket(TARGET.replace("http", "ws") + "/v1/events");
  line.onopen = () => { line.close(); done("the socket is open"); };
  line.onerror = () => done("");
}));

attempt("sendBeacon", async () => {
  navigator.sendBeacon(TARGET + "/v1/characters/sample", new Blob([ORDER], { type: "text/plain" }));
  return ""; // its answer is never told; the daemon's rows are the judge
});

attempt("sandboxed iframe", () => new Promise((done) => {
  const frame = document.createElement("iframe");
  frame.sandbox = "allow-scripts allow-forms";
  frame.srcdoc = `<script>(async () => {
    const learned = [];
    for (const options of [{}, { method: "POST" }, { headers: { Authorization: "Bearer ${TOKEN}" } }])
      for (const path of ["/healthz", "/v1/packs", "/v1/characters/sample"])
        try { const a = await fetch(${JSON.stringify(TARGET)} + path, options); if (a.ok) learned.push(path); } catch {}
    parent.postMessage(learned.join(), "*");
  })()</` + `script>`;
  addEventListener("message", (message) => { if (message.source === frame.contentWindow) done(message.data); });
  document.body.append(frame);
}));

attempt("window.open", () => new Promise((done) => {
  const opened = window.open(TARGET + "/v1/version");
  setTimeout(() => {
    let text = "";
    try { text = opened.document.body.innerText; } catch { /* another origin */ }
    opened?.close();
    done(/"code"/.test(text) ? "" : text.slice(0, 40));
  }, 700);
}));

const inWorker = (code) => new Promise((done) => {
  const worker = new Worker(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
  worker.onmessage = (message) => done(message.data);
  worker.onerror = () => done("");
});
attempt("worker that imports", () => inWorker(
  `try { importScripts(${JSON.stringify(TARGET + "/v1/targets")}); postMessage("it loads"); } catch { postMessage(""); }`));
attempt("worker that fetches", () => inWorker(
  `fetch(${JSON.stringify(TARGET + "/v1/packs")}).then((a) => postMessage(a.ok ? "it reads" : ""), () => postMessage(""))`));

if (navigator.serviceWorker) {
  attempt("service worker of the target", async () => {
    await navigator.serviceWorker.register(TARGET + "/healthz");
    return "it is registered";
  });
  attempt("service worker that fetches", async () => {
    await navigator.serviceWorker.register("/service_worker.js");
    const ready = await navigator.serviceWorker.ready;
    const line = new MessageChannel();
    const told = new Promise((done) => { line.port1.onmessage = (message) => done(message.data); });
    ready.active.postMessage(TARGET, [line.port2]);
    return told;
  });
}

attempt("resource timing", async () => {
  await fetch(TARGET + "/v1/models").catch(() => {});
  await new Promise((done) => setTimeout(done, 300)); // entries are written down later
  const seen = performance.getEntriesByName(TARGET + "/v1/models").filter((entry) => entry.responseStatus);
  return seen.some((entry) => entry.responseStatus < 400) ? "its status" : "";
});

async function timed(run) {
  const late = new Promise((done) => setTimeout(() => done(""), PATIENCE));
  try { return (await Promise.race([run(), late])) || ""; } catch { return ""; }
}

(async () => {
  const verdicts = Object.fromEntries(await Promise.all(attempts.map(async ([name, run]) => [name, await timed(run)])));
  await new Promise((done) => setTimeout(done, 500)); // beacons and forms still on their way
  const following = await (await fetch("/verdicts" + location.search, { method: "POST", body: JSON.stringify(verdicts) })).text();
  if (following) location = following;
})();
