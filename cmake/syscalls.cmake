# SPDX-License-Identifier: Apache-2.0
# Lists the system calls that the C library's kernel headers name, sorted, one
# SYSCALL(name) a line. Run as: cmake -DCC=cc -DOUT=file -P syscalls.cmake
execute_process(COMMAND ${CC} -E -dM -include sys/syscall.h -x c /dev/null
	OUTPUT_VARIABLE macros COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "#define __NR_[a-z_][a-z0-9_]*" defines "${macros}")
list(TRANSFORM defines REPLACE "#define __NR_" "")
list(REMOVE_DUPLICATES defines)
list(SORT defines COMPARE STRING)
set(text "/* Generated from sys/syscall.h by cmake/syscalls.cmake. */\n")
foreach(name ${defines})
	string(APPEND text "SYSCALL(${name})\n")
endforeach()
file(WRITE ${OUT} "${text}")
