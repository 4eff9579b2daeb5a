// Reads a Python pickle and executes nothing: the few opcodes of a state dict, and only the globals that the caller lists.
// Opcodes: CPython, Lib/pickletools.py; protocols 2 to 5.
import { PickleMachine } from './pickle-machine.js';
import { kindOf, PickleDict, type PickleRules, type PickleSource, PickleTuple } from './pickle-values.js';

/** Each makes at most one value: this bounds memory, and is 30 times what the largest nets need. */
const maxOpcodes = 2 ** 20;

/**
 * The value of the pickle: null, booleans, numbers, bigints, strings, arrays, PickleTuple, PickleDict, and what the rules
 * make. Throws CheckpointError with the byte, what was expected and what was found.
 */
export function readPickle(source: PickleSource, rules: PickleRules): unknown {
  const machine: PickleMachine = new PickleMachine(source, rules);
  for (let n = 0; n < maxOpcodes; n += 1) {
    const opcode = machine.opcode();
    if (opcode === stop) return machine.pop();
    const execute = opcodes.get(opcode);
    const hex = `0x${opcode.toString(16).padStart(2, '0')}`;
    if (!execute)
      machine.fail('an opcode that a state dict needs', `${refusedNames.get(opcode) ?? 'the byte'} (${hex})`);
    execute(machine);
  }
  return machine.fail(`at most ${maxOpcodes} opcodes`, 'more');
}

const stop = 0x2e;
const tuple = (machine: PickleMachine, items: unknown[]): void => machine.push(new PickleTuple(items));

const opcodes: ReadonlyMap<number, (machine: PickleMachine) => void> = new Map([
  [0x80, (m: PickleMachine) => checkProtocol(m)], // PROTO
  [0x95, (m) => m.skip(8)], // FRAME
  [0x28, (m) => m.mark()], // MARK
  [0x4e, (m) => m.push(null)], // NONE
  [0x88, (m) => m.push(true)], // NEWTRUE
  [0x89, (m) => m.push(false)], // NEWFALSE
  [0x4a, (m) => m.push(m.int32())], // BININT
  [0x4b, (m) => m.push(m.byte())], // BININT1
  [0x4d, (m) => m.push(m.uint16())], // BININT2
  [0x8a, (m) => m.push(m.long(m.byte()))], // LONG1
  [0x47, (m) => m.push(m.double())], // BINFLOAT
  [0x58, (m) => m.push(m.text(m.uint32()))], // BINUNICODE
  [0x8c, (m) => m.push(m.text(m.byte()))], // SHORT_BINUNICODE
  [0x5d, (m) => m.push([])], // EMPTY_LIST
  [0x61, (m) => m.append([m.pop()])], // APPEND
  [0x65, (m) => m.append(m.popMark())], // APPENDS
  [0x29, (m) => tuple(m, [])], // EMPTY_TUPLE
  [0x85, (m) => tuple(m, m.popMany(1))], // TUPLE1
  [0x86, (m) => tuple(m, m.popMany(2))], // TUPLE2
  [0x87, (m) => tuple(m, m.popMany(3))], // TUPLE3
  [0x74, (m) => tuple(m, m.popMark())], // TUPLE
  [0x7d, (m) => m.push(new PickleDict())], // EMPTY_DICT
  [0x73, (m) => m.setItems(m.popMany(2))], // SETITEM
  [0x75, (m) => m.setItems(m.popMark())], // SETITEMS
  [0x71, (m) => m.put(m.byte())], // BINPUT
  [0x72, (m) => m.put(m.uint32())], // LONG_BINPUT
  [0x94, (m) => m.put()], // MEMOIZE
  [0x68, (m) => m.get(m.byte())], // BINGET
  [0x6a, (m) => m.get(m.uint32())], // LONG_BINGET
  [0x63, (m) => m.global(m.line(), m.line())], // GLOBAL
  [0x93, (m) => stackGlobal(m)], // STACK_GLOBAL
  [0x52, (m) => m.call()], // REDUCE
  [0x51, (m) => m.persistent()], // BINPERSID
  [0x62, (m) => m.build()], // BUILD
]);

/** Opcodes that make objects of classes, for messages. */
const refusedNames: ReadonlyMap<number, string> = new Map([
  [0x69, 'INST'],
  [0x6f, 'OBJ'],
  [0x81, 'NEWOBJ'],
  [0x92, 'NEWOBJ_EX'],
  [0x82, 'EXT1'],
  [0x83, 'EXT2'],
  [0x84, 'EXT4'],
]);

function checkProtocol(machine: PickleMachine): void {
  const protocol = machine.byte();
  if (protocol < 2 || protocol > 5) machine.fail('a pickle of protocol 2 to 5', `${protocol}`);
}

function stackGlobal(machine: PickleMachine): void {
  const [module, name] = machine.popMany(2);
  if (typeof module !== 'string' || typeof name !== 'string')
    machine.fail('a module and a name', `${kindOf(module)} and ${kindOf(name)}`);
  machine.global(module, name);
}
