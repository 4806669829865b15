# SPDX-License-Identifier: Apache-2.0
# LLVM 19 through its C API: only the BPF back end and what it needs, linked statically,
# which halves start-up and memory against libLLVM.so.
find_program(LLVM_CONFIG NAMES llvm-config-19 llvm-config REQUIRED)
execute_process(COMMAND ${LLVM_CONFIG} --version OUTPUT_VARIABLE LLVM_VERSION
	OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
if(LLVM_VERSION VERSION_LESS 19 OR LLVM_VERSION VERSION_GREATER_EQUAL 20)
	message(FATAL_ERROR "LLVM 19 is needed, ${LLVM_CONFIG} is ${LLVM_VERSION}")
endif()
execute_process(COMMAND ${LLVM_CONFIG} --includedir OUTPUT_VARIABLE LLVM_INCLUDE_DIR
	OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${LLVM_CONFIG} --link-static --libfiles
		bpfasmparser bpfcodegen bpfdesc bpfinfo passes core analysis target mc support
	OUTPUT_VARIABLE LLVM_LIBRARIES
	OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${LLVM_CONFIG} --link-static --system-libs
	OUTPUT_VARIABLE LLVM_SYSTEM_LIBS
	OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
separate_arguments(LLVM_LIBRARIES UNIX_COMMAND "${LLVM_LIBRARIES}")
separate_arguments(LLVM_SYSTEM_LIBS UNIX_COMMAND "${LLVM_SYSTEM_LIBS}")
# libxml2 is only used by LLVM's Windows manifest code, which is not linked in.
list(FILTER LLVM_SYSTEM_LIBS EXCLUDE REGEX "xml2")
list(APPEND LLVM_LIBRARIES ${LLVM_SYSTEM_LIBS} stdc++)
# libclang is loaded by the scripts that have C definitions: here only its header is needed.
if(NOT EXISTS ${LLVM_INCLUDE_DIR}/clang-c/Index.h)
	message(FATAL_ERROR "clang-c/Index.h is not in ${LLVM_INCLUDE_DIR}: install libclang-19-dev")
endif()
add_compile_definitions(BTRUN_LLVM_VERSION="${LLVM_VERSION}")
