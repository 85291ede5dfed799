-- a comment
function process(event)
  if event.x the
  return event
end
