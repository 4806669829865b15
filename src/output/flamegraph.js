// SPDX-License-Identifier: Apache-2.0
// What makes a flame graph move: details on hover, zoom on click, search as it is typed.
"use strict";
(function () {
	const svg = document.documentElement;
	const side = +svg.dataset.side, charWidth = +svg.dataset.char;
	const inner = svg.viewBox.baseVal.width - 2 * side;
	const at = (id) => document.getElementById(id);
	const frames = Array.from(document.querySelectorAll(".f"), (g) => ({
		g: g,
		title: g.querySelector("title").textContent,
		rect: g.querySelector("rect"),
		text: g.querySelector("text"),
		depth: +g.dataset.d,
		from: +g.dataset.s,
		value: +g.dataset.v,
	}));
	const root = frames.find((f) => f.depth === 0);
	for (const f of frames)
		f.name = f.title.replace(/ \([^(]*\)$/, "");

	function label(f, width) {
		const room = Math.floor((width - 6) / charWidth);
		if (f.name.length <= room)
			return f.name;
		return room < 3 ? "" : f.name.slice(0, room - 2) + "..";
	}

	function place(f, x, width) {
		f.rect.setAttribute("x", x);
		f.rect.setAttribute("width", width);
		f.text.setAttribute("x", x + 3);
		f.text.textContent = label(f, width);
	}

	// The frame and what it called fill the width; its callers do, too, but pale.
	function zoom(to) {
		const end = to.from + to.value, scale = inner / to.value;
		for (const f of frames) {
			const caller = f.depth < to.depth && f.from <= to.from && f.from + f.value >= end;
			const inside = f.depth >= to.depth && f.from >= to.from && f.from + f.value <= end;
			f.g.classList.toggle("hidden", !caller && !inside);
			f.g.classList.toggle("outside", caller);
			if (caller)
				place(f, side, inner);
			else if (inside)
				place(f, side + (f.from - to.from) * scale, f.value * scale);
		}
		at("unzoom").classList.toggle("hidden", to === root);
	}

	// The share of the whole that lies under the frames that match, each part counted once.
	function search(term) {
		let re = null, sum = 0, end = -1;
		try {
			re = term ? new RegExp(term) : null;
		} catch (e) {
			at("matched").textContent = "no regular expression";
			return;
		}
		const found = frames.filter((f) => {
			const is = re !== null && re.test(f.name);
			f.g.classList.toggle("found", is);
			return is;
		});
		found.sort((a, b) => a.from - b.from || b.value - a.value);
		for (const f of found) {
			if (f.from < end)
				continue;
			sum += f.value;
			end = f.from + f.value;
		}
		at("matched").textContent = re
			? "Matched: " + (root ? 100 * sum / root.value : 0).toFixed(2) + "%" : " ";
	}

	const frameOf = (e) => {
		const g = e.target.closest ? e.target.closest(".f") : null;
		return g && frames.find((f) => f.g === g);
	};
	svg.addEventListener("click", (e) => {
		const f = frameOf(e);
		if (f)
			zoom(f);
		else if (e.target.id === "unzoom")
			zoom(root);
	});
	svg.addEventListener("mouseover", (e) => {
		const f = frameOf(e);
		at("details").textContent = f ? f.title : " ";
	});
	at("search").addEventListener("input", (e) => search(e.target.value));
	window.addEventListener("keydown", (e) => {
		if (e.key === "Escape" && root)
			zoom(root);
		if (e.key === "/" && document.activeElement !== at("search")) {
			e.preventDefault();
			at("search").focus();
		}
	});
})();
