/// The events of builds, for whoever shows them: fronts know only engine.
#pragma once
#include "build/events.h"
#include "build/report.h"
