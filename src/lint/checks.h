/// The functions behind the tables of rules, where a table has too many to stand in one file. Each reports under the rules named.
#pragma once
#include "lint/inspection.h"

namespace mica::lint {

// checks_copy.cc
void check_workdir(Inspection& in);              ///< DL3000
void check_cd(Inspection& in);                   ///< DL3003
void check_copy_destination(Inspection& in);     ///< DL3045
void check_add(Inspection& in);                  ///< DL3020
void check_copy_slash(Inspection& in);           ///< DL3021

// checks_command.cc
void check_cmd_once(Inspection& in);             ///< DL4003
void check_entrypoint_once(Inspection& in);      ///< DL4004
void check_healthcheck_once(Inspection& in);     ///< DL3012
void check_json_recommended(Inspection& in);     ///< DL3025
void check_json_form(Inspection& in);            ///< invalid-json-form
void check_no_command(Inspection& in);           ///< no-command
void check_no_healthcheck(Inspection& in);       ///< DL3057

// checks_config.cc
void check_port_range(Inspection& in);           ///< DL3011
void check_expose_format(Inspection& in);        ///< ExposeInvalidFormat
void check_expose_casing(Inspection& in);        ///< ExposeProtoCasing
void check_ssh_port(Inspection& in);             ///< ssh-port
void check_legacy_form(Inspection& in);          ///< LegacyKeyValueFormat
void check_maintainer(Inspection& in);           ///< DL4000
void check_signal_known(Inspection& in);         ///< unknown-signal
void check_signal_kill(Inspection& in);          ///< stop-signal-kill
void check_signal_form(Inspection& in);          ///< stop-signal-form
void check_signal_program(Inspection& in);       ///< stop-signal-program

// checks_order.cc
void check_before_from(Inspection& in);          ///< DL3061
void check_empty_continuation(Inspection& in);   ///< NoEmptyContinuation
void check_directive(Inspection& in);            ///< misspelt-directive

// checks_variables.cc
void check_own_statement(Inspection& in);        ///< DL3044
void check_undefined(Inspection& in);            ///< UndefinedVar
void check_unused_args(Inspection& in);          ///< unused-arg

// checks_secrets.cc
void check_secret_names(Inspection& in);         ///< DL3064
void check_secret_values(Inspection& in);        ///< secret-value
void check_credential_files(Inspection& in);     ///< credential-file

}  // namespace mica::lint
