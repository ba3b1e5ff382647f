// A page of its own: the screen in it comes alive where it stands. The start page loads this beforehand, for the screen
// that comes after it.
import { mount } from "./screen.js";

if (document.querySelector("[data-kind]:not([data-kind='start'])")) mount(document.body, { history: true });
