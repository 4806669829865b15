# SPDX-License-Identifier: Apache-2.0
# Writes text files as rows of a C table: {"PREFIX/NAME", "text"}, one for each of FILES.
set(rows "")
foreach(file ${FILES})
	file(READ ${file} text)
	get_filename_component(name ${file} NAME)
	string(REPLACE "\\" "\\\\" text "${text}")
	string(REPLACE "\"" "\\\"" text "${text}")
	string(REPLACE "\n" "\\n\"\n\"" text "${text}")
	string(APPEND rows "{\"${PREFIX}/${name}\",\n\"${text}\"},\n")
endforeach()
file(WRITE ${OUT} "${rows}")
