// Reads request targets, one a line, and says for each under which route every reader here finds it: one letter per
// reader, `-` when it refuses.
'use strict';
const path = require('node:path');
const url = require('node:url');

const under = (text, start) => text === start || text.startsWith(start + '/');
const area = (text) =>
  under(text, '/admin') ? 'A' : under(text, '/public/secret') ? 'S' : under(text, '/public') ? 'P' : 'R';
const raw = (target) => target.split('?')[0];
const decode = decodeURIComponent;
const { normalize, join } = path.posix;
const parameters = (text) => text.replace(/;[^/]*/g, '');

const readers = [
  (target) => raw(target),
  (target) => decode(raw(target)),
  (target) => normalize(raw(target)),
  (target) => normalize(decode(raw(target))),
  (target) => decode(normalize(raw(target))),
  (target) => normalize(decode(decode(raw(target)))),
  (target) => decode(decode(raw(target))),
  (target) => join('/', decode(raw(target)), '.'),
  (target) => decode(raw(target)).replace(/\/+/g, '/'),
  (target) => path.win32.normalize(decode(raw(target))).replace(/\\/g, '/'),
  (target) => new URL(target, 'http://h').pathname,
  (target) => new URL('http://h' + target).pathname,
  (target) => decode(new URL(target, 'http://h').pathname),
  (target) => normalize(decode(new URL('http://h' + target).pathname)),
  (target) => new URL(decode(raw(target)), 'http://h').pathname,
  (target) => decode(new URL(decode(raw(target)), 'http://h').pathname),
  (target) => url.parse(target).pathname,
  (target) => normalize(decode(url.parse(target).pathname)),
  (target) => url.parse(target, false, true).pathname,
  (target) => raw(url.resolve('http://h/', target).replace('http://h', '')),
  (target) => normalize(parameters(decode(raw(target)))),
  (target) => normalize(decode(parameters(raw(target)))),
  (target) => parameters(decode(raw(target))),
  (target) => decodeURI(raw(target)),
];

const answers = [];
for (const target of require('node:fs').readFileSync(0, 'latin1').split('\n').slice(0, -1)) {
  answers.push(
    readers
      .map((read) => {
        try {
          return area(read(target));
        } catch {
          return '-';
        }
      })
      .join(''),
  );
}
process.stdout.write(answers.join('\n') + '\n');
