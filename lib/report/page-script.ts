// The script of a page: values under the pointer in charts, tables sorted by their columns. Without it everything is there to read, too.

export const pageScript = `
'use strict';

function element(name, className, text) {
  const made = document.createElement(name);
  made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function nearest(values, wanted) {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (Math.abs(values[i] - wanted) < Math.abs(values[best] - wanted)) best = i;
  return best;
}

function addHover(plot) {
  const data = JSON.parse(plot.dataset.points);
  const area = plot.querySelector('.area');
  const rule = element('div', 'rule');
  const tip = element('div', 'tip');
  rule.hidden = tip.hidden = true;
  area.append(rule, tip);

  function show(event) {
    const box = area.getBoundingClientRect();
    const i = nearest(data.left, ((event.clientX - box.left) / box.width) * 100);
    rule.style.left = data.left[i] + '%';
    tip.replaceChildren(element('b', '', plot.dataset.xName + ' ' + data.x[i].toLocaleString('en-US')));
    area.querySelectorAll('.dot').forEach((dot) => dot.remove());
    for (const line of data.lines) {
      if (line.top[i] === null) continue;
      const row = element('span', 'c' + line.colour, line.name + ' ');
      row.append(element('b', '', line.text[i]));
      tip.append(row);
      const dot = element('div', 'dot c' + line.colour);
      dot.style.left = data.left[i] + '%';
      dot.style.top = line.top[i] + '%';
      area.append(dot);
    }
    tip.classList.toggle('leftwards', data.left[i] > 55);
    tip.style.left = data.left[i] + '%';
    rule.hidden = tip.hidden = false;
  }

  function hide() {
    rule.hidden = tip.hidden = true;
    area.querySelectorAll('.dot').forEach((dot) => dot.remove());
  }

  area.addEventListener('pointermove', show);
  area.addEventListener('pointerdown', show);
  area.addEventListener('pointerleave', hide);
}

function addSorting(table) {
  const headings = [...table.querySelectorAll('thead th')];
  headings.forEach((heading, column) => heading.querySelector('button').addEventListener('click', () => {
    const falling = heading.ariaSort === 'ascending';
    for (const other of headings) other.ariaSort = 'none';
    heading.ariaSort = falling ? 'descending' : 'ascending';
    const value = (row) => Number(row.children[column].dataset.value);
    const rows = [...table.tBodies[0].rows].sort((a, b) => (falling ? value(b) - value(a) : value(a) - value(b)));
    table.tBodies[0].append(...rows);
  }));
}

document.querySelectorAll('.plot').forEach(addHover);
document.querySelectorAll('table.sortable').forEach(addSorting);
`;
