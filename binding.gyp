# The CPU addon with node-gyp, for machines without CMake: npx node-gyp rebuild. The usual build is CMakeLists.txt.
{
  'variables': {
    'dnnl_root%': '',  # node-gyp rebuild --dnnl_root=/path/to/onednn
  },
  'targets': [
    {
      'target_name': 'residua',
      'sources': [
        'native/addon.cc',
        '<!@(node -p "[\'core\', \'binding\', \'cpu\'].flatMap(d => require(\'fs\').readdirSync(\'native/\' + d).filter(f => f.endsWith(\'.cc\')).map(f => \'native/\' + d + \'/\' + f)).join(\' \')")',
      ],
      'include_dirs': ['native'],
      'defines': ['NAPI_VERSION=8', 'NAPI_CPP_EXCEPTIONS', 'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS'],
      'cflags': [
        '-isystem <!(node -p "require(\'node-api-headers\').include_dir")',
        '-isystem <!(node -p "require(\'path\').dirname(require.resolve(\'node-addon-api\'))")',
        '-Wall', '-Wextra', '-fopenmp', '-fvisibility=hidden', '-ffp-contract=off', '-fno-math-errno',
      ],
      'cflags!': ['-fno-exceptions'],
      'cflags_cc!': ['-fno-exceptions', '-fno-rtti', '-std=gnu++17', '-std=gnu++20'],
      'cflags_cc': ['-std=c++17', '-fexceptions', '-frtti', '-fvisibility-inlines-hidden'],
      'ldflags': ['-fopenmp', '-Wl,-z,now'],
      'libraries': ['-ldnnl', '-ldl'],
      'conditions': [
        ['dnnl_root!=""', {
          'include_dirs': ['<(dnnl_root)/include'],
          'ldflags': ['-L<(dnnl_root)/lib', '-Wl,-rpath,<(dnnl_root)/lib'],
        }],
      ],
    },
  ],
}
