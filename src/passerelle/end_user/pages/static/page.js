// A page of its own: the screen in it comes alive where it stands.
import { mount, begin } from "./screen.js";

const start = document.querySelector("[data-start]");
if (start) begin(start);
else if (document.querySelector("[data-kind]")) mount(document.body, { history: true });
