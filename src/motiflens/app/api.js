// The description of the API: two languages, light and dark, tables that scroll.
addSwitches();
redraw.push(markScrolling);
addEventListener("resize", markScrolling);
speak(preferred());
