# mica_embed(cli kReportStyle cli/report/page.css): compiles the text of a file into the module as `const std::string_view mica::cli::kReportStyle`, which a header of the
# module declares. Run as a script (with IN, OUT, MODULE, NAME) it writes the .cc.
if(CMAKE_SCRIPT_MODE_FILE)
  file(READ "${IN}" text)
  string(FIND "${text}" ")embedded\"" end)
  if(NOT end EQUAL -1)
    message(FATAL_ERROR "${IN}: holds the end of a raw string")
  endif()
  file(WRITE "${OUT}" "#include <string_view>
namespace mica::${MODULE} {
extern const std::string_view ${NAME};
const std::string_view ${NAME} = R\"embedded(${text})embedded\";
}
")
  return()
endif()

function(mica_embed module name file)
  set(in ${CMAKE_CURRENT_SOURCE_DIR}/${file})
  set(out ${CMAKE_CURRENT_BINARY_DIR}/embedded/${name}.cc)
  set(script ${PROJECT_SOURCE_DIR}/cmake/embed.cmake)
  add_custom_command(OUTPUT ${out} DEPENDS ${in} ${script} VERBATIM COMMENT "Embedding ${file}"
    COMMAND ${CMAKE_COMMAND} -DIN=${in} -DOUT=${out} -DMODULE=${module} -DNAME=${name} -P ${script})
  target_sources(mica_${module} PRIVATE ${out})
  set_source_files_properties(${out} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
endfunction()
