// What the page does, in the browser: pictures that are dropped, chosen or pasted go to /predict, and its answer becomes bars.
// Names of classes and files enter the page as text, never as markup.
export const pageScript = String.raw`
'use strict';
const byId = (id) => document.getElementById(id);
const mostCards = 24;

async function showModel() {
  const model = await (await fetch('model')).json();
  const [channels, height, width] = model.inputShape;
  byId('name').textContent = document.title = model.name;
  const colour = channels === 1 ? 'grey' : 'colour';
  byId('facts').textContent = [model.classes.length + ' classes', width + ' \u00d7 ' + height + ' pixels, ' + colour, model.precision, model.device].join(' \u00b7 ');
  const names = model.classes.slice(0, 40).join(', ');
  byId('facts').title = model.classes.length > 40 ? names + ', ...' : names;
}

/** A card with the picture; returns it. */
function addCard(file) {
  const card = byId('card').content.cloneNode(true).firstElementChild;
  const picture = card.querySelector('img');
  picture.onload = () => {
    picture.classList.toggle('small', Math.max(picture.naturalWidth, picture.naturalHeight) < 96);
    URL.revokeObjectURL(picture.src);
  };
  picture.onerror = () => card.classList.add('blind');
  picture.src = URL.createObjectURL(file);
  picture.alt = card.querySelector('.file').textContent = file.name || 'pasted picture';
  byId('zone').classList.add('used');
  byId('results').prepend(card);
  while (byId('results').children.length > mostCards) byId('results').lastElementChild.remove();
  return card;
}

async function ask(file) {
  const card = addCard(file);
  const start = performance.now();
  try {
    const response = await fetch('predict?top=5', { method: 'POST', body: file });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.error.message);
    showClasses(card, answer.classes);
    card.querySelector('.time').textContent = Math.round(performance.now() - start) + ' ms';
  } catch (error) {
    card.classList.add('failed');
    card.querySelector('.best').textContent = error instanceof TypeError ? 'The server cannot be reached.' : error.message;
  }
}

function showClasses(card, classes) {
  card.querySelector('.best').textContent = classes[0].name;
  const list = card.querySelector('ol');
  for (const { name, probability } of classes) {
    const percent = (100 * probability).toFixed(1) + '%';
    const [label, value, track, bar] = ['span', 'b', 'i', 'u'].map((tag) => document.createElement(tag));
    label.textContent = name;
    value.textContent = percent;
    track.append(bar);
    const row = document.createElement('li');
    row.append(label, value, track);
    list.append(row);
    requestAnimationFrame(() => requestAnimationFrame(() => { bar.style.width = percent; }));
  }
}

const askAll = (files) => { for (const file of files) void ask(file); };

byId('file').addEventListener('change', ({ target }) => {
  askAll([...target.files]);
  target.value = '';
});
addEventListener('paste', ({ clipboardData }) => askAll(clipboardData.files));
for (const kind of ['dragover', 'dragleave', 'drop'])
  addEventListener(kind, (event) => {
    event.preventDefault();
    byId('zone').classList.toggle('over', kind === 'dragover');
    if (kind === 'drop') askAll(event.dataTransfer.files);
  });
byId('command').textContent = 'curl --data-binary @picture.jpg ' + new URL('predict', location.href);
showModel().catch(() => { byId('facts').textContent = 'The server cannot be reached.'; });
`;
