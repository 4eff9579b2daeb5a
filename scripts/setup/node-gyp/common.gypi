# What node-gyp takes from Node's own common.gypi, for Linux: this folder is its --nodedir, so that it fetches no headers.
# The headers themselves are those of the npm package node-api-headers (binding.gyp).
{
  'target_defaults': {
    'default_configuration': 'Release',
    'configurations': {
      'Release': {'cflags': ['-O3']},
      'Debug': {'cflags': ['-O0', '-g']},
    },
    'cflags': ['-pthread'],
    'ldflags': ['-pthread'],
  },
}
