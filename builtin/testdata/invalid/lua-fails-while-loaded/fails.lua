local t = nil
local x = t.a
function process(event) return event end
